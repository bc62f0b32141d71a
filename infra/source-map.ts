import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, relative, resolve } from "node:path";

// A step of the bundling, run by itself: names the sources of a source map as seen from the project's folder, so that
// the same code gives the same bytes and hash wherever the project and the output are.
const [root, file] = process.argv.slice(2);
if (root === undefined || file === undefined) throw new Error("usage: source-map.ts ROOT FILE");

const sourceMap: { sources: string[] } = JSON.parse(readFileSync(file, "utf8"));
sourceMap.sources = sourceMap.sources.map((source) => {
  const path = relative(root, resolve(dirname(file), source));
  if (!path.startsWith("..")) return path;
  // Outside: a configuration file, or packages that are linked in.
  const packages = path.lastIndexOf("node_modules/");
  return packages < 0 ? basename(path) : path.slice(packages);
});
writeFileSync(file, JSON.stringify(sourceMap));
