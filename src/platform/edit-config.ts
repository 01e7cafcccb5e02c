import { UnderstudyError } from "../core/error.ts";
import { renewSchema, withSchema } from "./config-schema-file.ts";
import { readConfigFile, type UnderstudyHome } from "./home.ts";
import { withConfigLock } from "./lock-config.ts";
import { writeConfigFile } from "./write-config-file.ts";

/**
 * Changes the configuration file: `change` gets its text and gives the new one. Nothing is written when it throws or changes nothing. Has
 * somebody else written meanwhile, nothing is written either (`config_invalid`); a change that is worked out of the text alone says `again`,
 * and is asked once more with the new text, while nobody else can write. True when the file was changed.
 */
export async function editConfig(
  { configFile }: UnderstudyHome,
  change: (text: string, fileName: string) => string | Promise<string>,
  ifChanged: "refuse" | "again" = "refuse",
): Promise<boolean> {
  let before = await readConfigFile(configFile);
  let after = await change(before, configFile);
  if (after === before) return false;
  return withConfigLock(configFile, async () => {
    const now = await readConfigFile(configFile);
    if (now !== before) {
      if (ifChanged === "refuse") {
        throw new UnderstudyError(
          "config_invalid",
          `${configFile} was changed by somebody else meanwhile: nothing was written. Try again`,
        );
      }
      before = now;
      after = await change(now, configFile);
      if (after === before) return false;
    }
    if (before === "") writeConfigFile(configFile, withSchema(configFile, after));
    else {
      writeConfigFile(configFile, after);
      renewSchema(configFile);
    }
    return true;
  });
}
