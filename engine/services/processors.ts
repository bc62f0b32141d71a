import { cpus } from "node:os";

/** Measures from its making on how busy the machine's processors are, whoever keeps them so. */
export class ProcessorWatch {
  readonly #begin = read();

  /** How many processors' time nobody used so far: 1.5 where of four two were busy and a third half of the time. */
  get idle(): number {
    const now = read();
    const total = now.total - this.#begin.total;
    return total === 0 ? 0 : (cpus().length * (now.idle - this.#begin.idle)) / total;
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
