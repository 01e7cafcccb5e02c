/**
 * What is wrong with a base URL, in words that go after "must"; null when nothing is. The words never repeat the URL,
 * which may hold a password.
 *
 * Rule R7 begins here, since this is where a credential will be sent: https, or plain http to this machine itself,
 * where nobody listens on the wire. `allowInsecure` accepts plain http to any host. No user name, query or fragment:
 * the protocols append their paths.
 */
export function baseUrlProblem(text: string, allowInsecure = false): string | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return "be an absolute URL such as https://api.example.com/v1";
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return "begin with https:// or http://";
  if (url.username !== "" || url.password !== "") return "not hold a user name or password";
  if (url.search !== "" || url.hash !== "" || text.includes("?") || text.includes("#")) {
    return "end with its path, without ? or #";
  }
  if (url.protocol === "http:" && !allowInsecure && !isLoopbackHost(url.hostname)) {
    return "begin with https://; plain http is only for this machine, or with allowInsecure: true";
  }
  return null;
}

/** True for names and addresses that never leave this machine: `localhost`, `*.localhost`, 127.0.0.0/8, `[::1]`. */
export function isLoopbackHost(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
  );
}

/** Without blanks around it and without trailing slashes. */
export function trimBaseUrl(text: string): string {
  return text.trim().replace(/\/+$/, "");
}
