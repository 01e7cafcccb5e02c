import { spawn } from "node:child_process";

type Environment = Readonly<Record<string, string | undefined>>;

/** What `openBrowser` needs to know of the machine; the running one by default. */
export interface BrowserMachine {
  readonly platform: NodeJS.Platform;
  readonly env: Environment;
}

const thisMachine: BrowserMachine = { platform: process.platform, env: process.env };

/**
 * Opens `url` in the person's browser. True when a program for it could be started, which does not prove that a page came up;
 * never throws, never waits for the browser, and hands the address over as one argument, through no shell.
 */
export function openBrowser(url: string, machine: BrowserMachine = thisMachine): Promise<boolean> {
  if (!/^https?:\/\//.test(url)) return Promise.resolve(false);
  const [program = "", ...args] = browserCommand(url, machine);
  return new Promise((resolve) => {
    try {
      const child = spawn(program, args, { stdio: "ignore", detached: true, env: { ...machine.env } });
      child.once("error", () => resolve(false));
      child.once("spawn", () => {
        child.unref();
        resolve(true);
      });
    } catch {
      resolve(false);
    }
  });
}

function browserCommand(url: string, { platform, env }: BrowserMachine): readonly string[] {
  switch (platform) {
    case "darwin":
      return ["open", url];
    case "win32":
      // `start` belongs to a shell, which would read the & of a query.
      return ["rundll32", "url.dll,FileProtocolHandler", url];
    default:
      return isWsl(env) ? ["wslview", url] : ["xdg-open", url];
  }
}

/**
 * Why no browser of this person can be expected to open here, in words; null when one can. A browser that opens on the machine at
 * the other end of an SSH session is seen by nobody.
 */
export function whyNoBrowser({ platform, env }: BrowserMachine = thisMachine): string | null {
  if (isSet(env["SSH_CONNECTION"]) || isSet(env["SSH_CLIENT"]) || isSet(env["SSH_TTY"]))
    return "this is an SSH session";
  if (isSet(env["CI"])) return "this is a build";
  if (platform === "darwin" || platform === "win32" || isWsl(env)) return null;
  return isSet(env["DISPLAY"]) || isSet(env["WAYLAND_DISPLAY"]) ? null : "there is no display";
}

function isWsl(env: Environment): boolean {
  return isSet(env["WSL_DISTRO_NAME"]);
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "";
}
