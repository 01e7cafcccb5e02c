import { UnderstudyError } from "../core/error.ts";
import { renewSchema, withSchema } from "./config-schema-file.ts";
import { readConfigFile, type UnderstudyHome } from "./home.ts";
import { withConfigLock } from "./lock-config.ts";
import { writeConfigFile } from "./write-config-file.ts";

/**
 * Changes the configuration file: `change` gets its text and gives the new one. Nothing is written when it throws or changes nothing,
 * nor when somebody else has written meanwhile (`config_invalid`). True when the file was changed.
 */
export async function editConfig(
  { configFile }: UnderstudyHome,
  change: (text: string, fileName: string) => string | Promise<string>,
): Promise<boolean> {
  const before = await readConfigFile(configFile);
  const after = await change(before, configFile);
  if (after === before) return false;
  await withConfigLock(configFile, async () => {
    if ((await readConfigFile(configFile)) !== before) {
      throw new UnderstudyError(
        "config_invalid",
        `${configFile} was changed by somebody else meanwhile: nothing was written. Try again`,
      );
    }
    if (before === "") writeConfigFile(configFile, withSchema(configFile, after));
    else {
      writeConfigFile(configFile, after);
      renewSchema(configFile);
    }
  });
  return true;
}
