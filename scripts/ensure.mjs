// Makes the checkout runnable: installs the locked packages, checks the Node that they bring, and, with
// --mosquitto, the broker that the tests run against. Plain JavaScript on node: imports only, because it runs
// before anything is installed, on Node 20.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const lockFile = join(root, ".setup.lock");
const stampFile = join(root, "node_modules", ".trestle-setup");

/** Prints one line that says what is wrong and how to mend it, and ends the process. */
function fail(line) {
  console.error(`trestle set-up: ${line}`);
  process.exit(1);
}

function sleep(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Two fresh `npm start`/`npm test` at once would both delete and fill node_modules: the second one waits. */
function withLock(work) {
  for (let waited = false; ; sleep(100)) {
    let handle;
    try {
      handle = openSync(lockFile, "wx");
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      if (removeAbandonedLock()) continue;
      if (!waited) console.error("trestle set-up: another command is setting up this checkout, waiting for it");
      waited = true;
      continue;
    }
    writeSync(handle, String(process.pid));
    closeSync(handle);
    process.on("exit", () => rmSync(lockFile, { force: true }));
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
    work();
    return;
  }
}

/** A set-up that was killed leaves its lock; its process id, no longer running, gives it away. */
function removeAbandonedLock() {
  try {
    const pid = Number(readFileSync(lockFile, "utf8"));
    // An empty file is a lock being written just now, unless it stays empty.
    const isAbandoned = pid > 0 ? !isRunning(pid) : Date.now() - statSync(lockFile).mtimeMs > 2000;
    if (isAbandoned) rmSync(lockFile, { force: true });
    return isAbandoned;
  } catch (error) {
    if (error.code === "ENOENT") return true;
    throw error;
  }
}

function ensurePackages() {
  const stamp = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
  const npm = process.env.npm_execpath;
  if (!npm) fail("run it through npm: npm start, npm test");
  console.error("trestle set-up: installing the locked packages");
  const { status } = spawnSync(
    process.execPath,
    [npm, "ci", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"],
    { cwd: root, stdio: "inherit" },
  );
  if (status !== 0) process.exit(status ?? 1);
  mkdirSync(join(root, "node_modules"), { recursive: true });
  writeFileSync(stampFile, stamp);
}

/** The packages bring Node 24 for Linux; elsewhere the `node` on the PATH has to be new enough itself. */
function ensureNode() {
  const path = [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter);
  const { stdout } = spawnSync("node", ["--version"], { encoding: "utf8", env: { ...process.env, PATH: path } });
  const major = Number(/^v(\d+)/.exec(stdout ?? "")?.[1] ?? 0);
  if (major < 24)
    fail(`Node 24 or newer is needed, found ${stdout?.trim() || "none"}: install it from https://nodejs.org`);
}

const sbin = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"];

function isInstalled(command) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...sbin];
  return folders.some((folder) => folder !== "" && existsSync(join(folder, command)));
}

function hasMosquitto() {
  return isInstalled("mosquitto") && isInstalled("mosquitto_pub");
}

/** The tests talk to the real broker and its command-line clients, and are never skipped for want of them. */
function ensureMosquitto() {
  if (hasMosquitto()) return;
  console.error("trestle set-up: installing Mosquitto, which the tests run against");
  for (const [command, ...options] of mosquittoInstallers()) {
    const { status } = spawnSync(command, options, { stdio: ["ignore", "ignore", "inherit"] });
    if (status !== 0) break;
  }
  if (!hasMosquitto()) {
    fail(
      "the tests need Mosquitto 2 and its clients: apt-get install mosquitto mosquitto-clients, or brew install mosquitto",
    );
  }
}

function mosquittoInstallers() {
  if (isInstalled("brew")) return [["brew", "install", "mosquitto"]];
  if (!isInstalled("apt-get")) return [];
  const apt = process.getuid?.() === 0 ? ["apt-get"] : ["sudo", "-n", "apt-get"];
  return [
    [...apt, "update", "-qq"],
    [...apt, "install", "-y", "-qq", "--no-install-recommends", "mosquitto", "mosquitto-clients"],
  ];
}

withLock(() => {
  ensurePackages();
  ensureNode();
  if (process.argv.includes("--mosquitto")) ensureMosquitto();
});
