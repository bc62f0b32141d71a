import { cpus } from "node:os";

/** Measures how busy the machine's processors are, whoever keeps them so. */
export class ProcessorWatch {
  #before = read();

  /** The part of the processors' time since the last call that nobody used, 0 to 1. */
  takeIdleShare(): number {
    const before = this.#before;
    const now = read();
    this.#before = now;
    const total = now.total - before.total;
    return total === 0 ? 0 : (now.idle - before.idle) / total;
  }
}

function read(): { readonly idle: number; readonly total: number } {
  let idle = 0;
  let total = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    total += times.user + times.nice + times.sys + times.idle + times.irq;
  }
  return { idle, total };
}
