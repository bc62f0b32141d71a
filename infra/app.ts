import { SchemeError } from "../scheme/scheme-error.ts";
import { addStack, createApp } from "./synthesize.ts";

// The app of `cdk.json`: `npx cdk synth`, or with another scheme `npx cdk synth -c config=other.config.ts`.
try {
  const app = createApp();
  await addStack(app, app.node.tryGetContext("config"));
  app.synth();
} catch (error) {
  if (!(error instanceof SchemeError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
