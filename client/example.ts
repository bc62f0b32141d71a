// node client/example.ts mqtt://127.0.0.1:1883
import { connect } from "./connect.ts";

const url = process.argv[2] ?? "mqtt://127.0.0.1:1883";

// Something that answers.
await using clock = await connect(url);
await clock.listen("clocks/+/ask", ({ payload, responseTopic, correlationData }) => {
  if (responseTopic === undefined || correlationData === undefined) return;
  void clock.publish(responseTopic, `noon in ${payload}`, { properties: { correlationData } });
});

// Somebody who asks.
await using client = await connect(url, { keepAliveSeconds: 30 });
const answer = await client.request("clocks/c1/ask", "Rome", { replyTopic: "clocks/c1/answer", timeoutMs: 5_000 });
console.log(answer.payload.toString());

// Messages one after the other; leaving the loop ends the subscription.
await using positions = await client.subscribe("drivers/+/position");
await client.publish("drivers/d42/position", '{"lat":52.52,"lon":13.40}');
for await (const { topic, payload } of positions) {
  console.log(topic, payload.toString());
  break;
}
