/** A way to ask devices something and get their answers, in a process of its own. */
export interface WayToAsk {
  readonly name: string;
  /** The version of MQTT that the devices answer in. */
  readonly protocolVersion: 4 | 5;
  /** Whether it is asked all devices at once too: not where that would be another thing. */
  readonly isForMany: boolean;
  /** By whose round trip its own is measured; itself where there is none. */
  readonly reference?: WayToAsk;
  start(fleet: Fleet): Promise<Asker>;
}

/** Devices that answer each request on their topic. Their ids are a name and a number from 0 on. */
export interface Fleet {
  readonly brokerUrl: string;
  readonly name: string;
  readonly devices: number;
}

export interface Asker extends AsyncDisposable {
  /** Asks every device at the same time. @returns Milliseconds until the last answer. */
  askAll(): Promise<number>;
  /** Asks one device after the other. @returns The milliseconds of each round trip. */
  askInTurn(count: number): Promise<Float64Array>;
}
