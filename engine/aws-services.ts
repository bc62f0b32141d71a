import { startDynamoDb } from "./services/dynamodb.ts";
import { iotDataPlane } from "./services/iot-data-plane.ts";
import { lambdaApi } from "./services/lambda-api.ts";
import type { ManagedMapping } from "./services/managed-mapping.ts";
import type { MessageBroker } from "./services/message-broker.ts";
import type { Queue } from "./services/queue.ts";
import { type SecretSource, secretsManager } from "./services/secrets.ts";
import { type Service, ServiceEndpoint, ServiceError } from "./services/service-endpoint.ts";
import { sqsApi } from "./services/sqs-api.ts";
import type { TablePlan } from "./template/plan.ts";

/** What the services act on. Mappings and queues may be added after the start, before a function runs. */
export interface AwsServicesOptions {
  readonly dataFolder: string;
  readonly region: string;
  readonly tables: readonly TablePlan[];
  readonly log: (line: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly secrets: SecretSource;
  readonly mappings: readonly ManagedMapping[];
  /** By URL. */
  readonly queues: ReadonlyMap<string, Queue>;
  /** What the ledger says at this moment. */
  readonly ledger: () => unknown;
  /** What stands in for IoT Core's broker; undefined before it is there. */
  readonly messageBroker: () => MessageBroker | undefined;
}

/** The services that functions and commands ask through the AWS SDKs, on ports of this machine. */
export interface AwsServices extends AsyncDisposable {
  /** Where they are, a region and credentials, as the variables that the SDKs read. */
  readonly environment: Readonly<Record<string, string>>;
  /** Answers GET with the ledger; no service of AWS. */
  readonly ledgerUrl: string;
}

/** @throws {EngineError} for tables that cannot be made. */
export async function startAwsServices(options: AwsServicesOptions): Promise<AwsServices> {
  const { region, secrets, mappings, queues, ledger, messageBroker } = options;
  await using stack = new AsyncDisposableStack();
  const dynamoDb = options.tables.length === 0 ? undefined : stack.use(await startDynamoDb(options));
  const endpoint = stack.use(
    await ServiceEndpoint.start({
      iotdata: iotDataPlane(messageBroker),
      lambda: lambdaApi(mappings),
      ledger: ledgerService(ledger),
      secretsmanager: secretsManager(secrets),
      sqs: sqsApi(queues),
    }),
  );
  const parts = stack.move();
  return {
    environment: {
      ...(dynamoDb && { AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.url }),
      AWS_ENDPOINT_URL_IOT_DATA_PLANE: endpoint.url("iotdata"),
      AWS_ENDPOINT_URL_LAMBDA: endpoint.url("lambda"),
      AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint.url("secretsmanager"),
      AWS_ENDPOINT_URL_SQS: endpoint.url("sqs"),
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      // The SDKs want credentials even where nobody looks at them.
      AWS_ACCESS_KEY_ID: "local",
      AWS_SECRET_ACCESS_KEY: "local",
    },
    ledgerUrl: endpoint.url("ledger"),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

function ledgerService(ledger: () => unknown): Service {
  return {
    answer({ method, path }) {
      if (method === "GET" && path === "/") return { status: 200, body: ledger() };
      throw new ServiceError("UnknownOperationException", `${method} ${path} is not performed here`, 404);
    },
    refuse: ({ type, message, status }) => ({ status, body: { __type: type, message } }),
  };
}
