import {
  LambdaClient,
  paginateListEventSourceMappings,
  ResourceInUseException,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";

/** The event source mappings of the routes' retry queues. */
export interface Mappings {
  /** Pauses or resumes a route's retry queue; does nothing where it is as wanted. */
  setEnabled(route: string, isEnabled: boolean): Promise<void>;
}

export interface LambdaMappingsOptions {
  readonly client: LambdaClient;
  /** The function that the retry queues feed. */
  readonly functionName: string;
  /** Name of a route's retry queue. */
  readonly queueName: (route: string) => string;
  /** Told of a mapping that cannot be changed just now, since it is changing. */
  readonly onBusy: (route: string) => void;
}

/** What a mapping's state says that it does, or is about to do. Of the others, the last change has still to end. */
const enabledStates: ReadonlyMap<string, boolean> = new Map([
  ["Enabled", true],
  ["Enabling", true],
  ["Disabled", false],
  ["Disabling", false],
]);

/** A client that gives up well before the function does. */
export function lambdaClient(): LambdaClient {
  return new LambdaClient({ maxAttempts: 3, requestHandler: { connectionTimeout: 1_000, requestTimeout: 5_000 } });
}

interface Mapping {
  readonly id: string;
  readonly state: string;
}

/**
 * Mappings by Lambda's own API. They are listed once, at the first use, since Lambda takes few such calls a second from
 * an account: one of these belongs to one invocation.
 */
export class LambdaMappings implements Mappings {
  readonly #options: LambdaMappingsOptions;
  #mappings: Promise<Map<string, Mapping>> | undefined;

  constructor(options: LambdaMappingsOptions) {
    this.#options = options;
  }

  /** @throws where the route's queue has no mapping to the function, and what Lambda answers. */
  async setEnabled(route: string, isEnabled: boolean): Promise<void> {
    const { client, functionName, queueName, onBusy } = this.#options;
    const queue = queueName(route);
    this.#mappings ??= listMappings(client, functionName);
    const mappings = await this.#mappings;
    const mapping = mappings.get(queue);
    if (mapping === undefined) throw new Error(`no event source mapping of ${functionName} reads the queue ${queue}`);
    if (enabledStates.get(mapping.state) === isEnabled) return;
    try {
      const command = new UpdateEventSourceMappingCommand({ UUID: mapping.id, Enabled: isEnabled });
      const { State = "" } = await client.send(command);
      mappings.set(queue, { id: mapping.id, state: State });
    } catch (error) {
      // In transition, which takes a mapping up to a minute: the next tick finds it settled.
      if (!(error instanceof ResourceInUseException)) throw error;
      onBusy(route);
    }
  }
}

/** By the name of the queue that they read. */
async function listMappings(client: LambdaClient, functionName: string): Promise<Map<string, Mapping>> {
  const found = new Map<string, Mapping>();
  for await (const { EventSourceMappings = [] } of paginateListEventSourceMappings(
    { client },
    { FunctionName: functionName },
  )) {
    for (const { UUID = "", EventSourceArn = "", State = "" } of EventSourceMappings) {
      found.set(EventSourceArn.slice(EventSourceArn.lastIndexOf(":") + 1), { id: UUID, state: State });
    }
  }
  return found;
}
