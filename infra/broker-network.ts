import { ArnFormat, Stack } from "aws-cdk-lib";
import { CfnSecurityGroup } from "aws-cdk-lib/aws-ec2";
import { Effect, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { CfnFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import type { VpcInput } from "../scheme/scheme.ts";
import type { TrestleFunction } from "./trestle-function.ts";

/** What Lambda does in the name of a function's role to put it into a network; EC2 knows no narrower resource. */
const interfaceActions = [
  "ec2:AssignPrivateIpAddresses",
  "ec2:CreateNetworkInterface",
  "ec2:DeleteNetworkInterface",
  "ec2:DescribeNetworkInterfaces",
  "ec2:DescribeSubnets",
  "ec2:UnassignPrivateIpAddresses",
];

/**
 * The network in which brokers can be reached. It has to lead to DynamoDB and Secrets Manager as well, by endpoints of
 * its own or a NAT gateway: a function in it is nowhere else.
 */
export class BrokerNetwork extends Construct {
  readonly #vpcConfig: CfnFunction.VpcConfigProperty;

  constructor(scope: Construct, id: string, { id: vpcId, subnetIds, securityGroupIds }: VpcInput) {
    super(scope, id);
    this.#vpcConfig = {
      subnetIds: [...subnetIds],
      securityGroupIds: [...(securityGroupIds ?? [this.#addSecurityGroup(vpcId)])],
    };
  }

  /** Puts a function into the network. */
  admit(lambda: TrestleFunction<never>): void {
    const resource = lambda.node.defaultChild;
    // By its bare resource: the construct for networks wants to know availability zones, which a look-up would ask for.
    if (!(resource instanceof CfnFunction)) throw new Error(`${lambda.node.path} is no function`);
    resource.vpcConfig = this.#vpcConfig;
    lambda.addToRolePolicy(new PolicyStatement({ actions: interfaceActions, resources: ["*"] }));
    // Lambda's own calls bear no source function; what the function's code would call is denied.
    lambda.addToRolePolicy(
      new PolicyStatement({
        effect: Effect.DENY,
        actions: interfaceActions,
        resources: ["*"],
        conditions: { ArnLike: { "lambda:SourceFunctionArn": anyFunction(Stack.of(this)) } },
      }),
    );
  }

  #addSecurityGroup(vpcId: string): string {
    return new CfnSecurityGroup(this, "SecurityGroup", {
      groupDescription: `Functions of ${Stack.of(this).stackName} that connect to brokers`,
      vpcId,
      securityGroupEgress: [{ ipProtocol: "-1", cidrIp: "0.0.0.0/0", description: "Brokers and services of AWS" }],
    }).attrGroupId;
  }
}

/** Not the one function, whose resource waits for its role's policy. */
function anyFunction(stack: Stack): string {
  return stack.formatArn({
    service: "lambda",
    resource: "function",
    resourceName: "*",
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
