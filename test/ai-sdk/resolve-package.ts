/**
 * For `node --import`: the package's own name means its sources, so that an example runs as a program has it, without a build.
 */
import { registerHooks } from "node:module";

registerHooks({
  resolve(specifier, context, next) {
    const entry = /^understudy(?:\/([\w-]+))?$/.exec(specifier);
    if (entry === null) return next(specifier, context);
    return next(new URL(`../../src/${entry[1] ?? "index"}.ts`, import.meta.url).href, context);
  },
});
