import { isSupportedNode } from "../src/platform/node-version.ts";

// Node 24 arrives as a dev dependency; without it everything would quietly run on the machine's own Node.
if (!isSupportedNode(process.version)) {
  throw new Error(`the tests run on Node ${process.version}; install with install scripts allowed for "node"`);
}

// The keychain of whoever runs the tests is none of their business.
process.env["UNDERSTUDY_KEYCHAIN"] = "off";
