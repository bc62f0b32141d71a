import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Queue } from "../engine/services/queue.ts";
import { QueueStore } from "../engine/services/queue-store.ts";
import { ServiceEndpoint } from "../engine/services/service-endpoint.ts";
import { sqsApi } from "../engine/services/sqs-api.ts";
import { ServicesFile } from "../engine/services-file.ts";
import { temporaryFolder } from "../engine/testing.ts";
import { projectRoot } from "../infra/bundle.ts";
import { startApi } from "../lambdas/forward/test-api.ts";
import { Deployment } from "../operate/deployment.ts";
import { defaultConfigFile, loadScheme } from "../scheme/load-scheme.ts";
import { resourceNames } from "../scheme/resource-names.ts";

test("what is sent again goes to its route's retries, and a device's reply to the replies' queue", async () => {
  const configFile = join(projectRoot, defaultConfigFile);
  const { retryQueue, repliesQueue } = resourceNames(await loadScheme(configFile));
  const dataFolder = temporaryFolder();
  const store = new QueueStore(dataFolder);
  const limits = { visibilityTimeoutMs: 600_000, retentionMs: 1e9, maximumMessageBytes: 262_144, redrive: undefined };
  const queues = [retryQueue("location"), repliesQueue].map(
    (name) => new Queue({ name, arn: `arn:aws:sqs:us-east-1:1:${name}`, ...limits }, store),
  );
  const byUrl = new Map(queues.map((queue) => [`https://sqs.us-east-1.amazonaws.com/1/${queue.options.name}`, queue]));
  const endpoint = await ServiceEndpoint.start({ sqs: sqsApi(byUrl) });
  const ledger = await startApi();
  const environment = { AWS_ENDPOINT_URL_SQS: endpoint.url("sqs"), AWS_ENDPOINT_URL_DYNAMODB: ledger.url.href };
  const file = new ServicesFile(dataFolder, { environment, ledgerUrl: ledger.url.href });
  const deployment = await Deployment.open({ configFile, isAws: false, dataFolder });
  onTestFinished(async () => {
    deployment[Symbol.dispose]();
    file[Symbol.dispose]();
    await endpoint[Symbol.asyncDispose]();
    for (const queue of queues) queue[Symbol.dispose]();
    store[Symbol.dispose]();
  });

  await deployment.sendAgain("location", "a position");
  await deployment.sendAgain("replies", "an answer");
  expect(queues.map((queue) => queue.receive(10).map(({ body }) => body))).toEqual([["a position"], ["an answer"]]);
});
