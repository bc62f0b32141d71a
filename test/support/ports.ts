import { once } from "node:events";
import { createServer } from "node:net";

const given = new Set<number>();

/**
 * A port of 127.0.0.1 that nobody listens on, another one each time.
 *
 * It lies below 32768, where Linux begins to take the local ports of outgoing connections from: a connection of another
 * test cannot take it between this answer and its use.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error("100 ports from 20000 to 31999 were all taken");
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
