import { Child } from "./child.ts";
import type { PublisherOptions } from "./publisher.ts";

/** When messages were published, in milliseconds since 1970. */
export interface Published {
  readonly beganAt: number;
  /** Of the last PUBACK. */
  readonly endedAt: number;
}

/** Publishes messages and waits until the broker has acknowledged the last of them. */
export async function publish(options: PublisherOptions): Promise<Published> {
  await using publisher = startPublisher(options);
  return await publisher.next<Published & { kind: "published" }>("published");
}

/** A publisher that is ended by its disposal where it is not done before. */
export function startPublisher(options: PublisherOptions): Child {
  return Child.fork(new URL("./publisher.ts", import.meta.url), [JSON.stringify(options)]);
}
