import type { MosquittoVersion } from "../options.ts";

/** What a directive belongs to. */
export type Scope =
  | "broker"
  | "listener"
  | "security" // the broker's, or the listener's where `per_listener_settings` is true
  | "connection"
  | "plugin"
  | "head"; // begins something, or says where more is to be read

/** What its value has to be; `text` is anything that is not empty. */
export type ValueKind = "text" | "flag" | "number";

export interface KnownDirective {
  readonly scope: Scope;
  readonly value: ValueKind;
  /** The first release that reads it. */
  readonly since: MosquittoVersion;
  /** Whether it may stand more than once in what it belongs to, each time meaning one more. */
  readonly isList: boolean;
}

/** The names of one kind, with spaces between them. Those after `2.1:` are unknown to Mosquitto 2.0, and an error there. */
type Names = string;

/** Every directive of Mosquitto 2.1, by scope and kind. @see mosquitto 2.1, src/conf.c; 2.0.11 was asked for each name. */
const names: readonly (readonly [Scope, ValueKind, Names])[] = [
  [
    "head",
    "text",
    "listener connection include_dir plugin auth_plugin port bind_address 2.1: global_plugin plugin_load",
  ],
  ["broker", "flag", "per_listener_settings allow_duplicate_messages autosave_on_changes check_retain_source"],
  ["broker", "flag", "connection_messages log_timestamp persistence retained_persistence queue_qos0_messages"],
  ["broker", "flag", "retain_available set_tcp_nodelay upgrade_outgoing_qos 2.1: enable_control_api"],
  ["broker", "number", "autosave_interval log_facility max_inflight_bytes max_inflight_messages max_keepalive"],
  [
    "broker",
    "number",
    "max_packet_size max_queued_bytes max_queued_messages memory_limit message_size_limit sys_interval",
  ],
  ["broker", "number", "websockets_log_level websockets_headers_size"],
  ["broker", "number", "2.1: global_max_clients global_max_connections packet_buffer_size retain_expiry_interval"],
  ["broker", "text", "clientid_prefixes log_dest log_timestamp_format log_type persistence_file persistence_location"],
  ["broker", "text", "persistent_client_expiration pid_file retry_interval user"],
  ["security", "flag", "allow_anonymous allow_zero_length_clientid"],
  ["security", "text", "acl_file auto_id_prefix password_file psk_file"],
  ["listener", "flag", "require_certificate use_identity_as_username use_subject_as_username use_username_as_clientid"],
  ["listener", "flag", "2.1: disable_client_cert_date_checks listener_allow_anonymous proxy_protocol_v2_require_tls"],
  ["listener", "number", "max_connections max_qos maximum_qos max_topic_alias"],
  ["listener", "number", "2.1: enable_proxy_protocol max_topic_alias_broker"],
  [
    "listener",
    "text",
    "bind_interface cafile capath certfile ciphers ciphers_tls1.3 crlfile dhparamfile http_dir keyfile",
  ],
  [
    "listener",
    "text",
    "mount_point protocol psk_hint socket_domain tls_engine tls_engine_kpass_sha1 tls_keyform tls_version",
  ],
  ["listener", "text", "2.1: accept_protocol_versions listener_auto_id_prefix plugin_use websockets_origin"],
  [
    "connection",
    "flag",
    "bridge_attempt_unsubscribe bridge_insecure bridge_outgoing_retain bridge_require_ocsp cleansession",
  ],
  ["connection", "flag", "local_cleansession notifications notifications_local_only round_robin try_private"],
  ["connection", "flag", "2.1: bridge_tls_use_os_certs"],
  ["connection", "number", "bridge_max_packet_size idle_timeout keepalive_interval threshold"],
  ["connection", "number", "2.1: bridge_max_topic_alias bridge_receive_maximum bridge_session_expiry_interval"],
  ["connection", "number", "2.1: bridge_tcp_user_timeout"],
  [
    "connection",
    "text",
    "address addresses bridge_alpn bridge_bind_address bridge_cafile bridge_capath bridge_certfile",
  ],
  [
    "connection",
    "text",
    "bridge_identity bridge_keyfile bridge_protocol_version bridge_psk bridge_tls_version clientid",
  ],
  ["connection", "text", "local_clientid local_password local_username notification_topic password remote_clientid"],
  ["connection", "text", "remote_password remote_username restart_timeout start_type topic username"],
  ["connection", "text", "2.1: bridge_ciphers bridge_ciphers_tls1.3 bridge_reload_type bridge_tcp_keepalive"],
  ["plugin", "flag", "auth_plugin_deny_special_chars"],
];

const lists: ReadonlySet<string> = new Set(["topic", "log_dest", "log_type", "websockets_origin", "plugin_use"]);

/** Every directive by its name, but for the options of plugins, whose names are the plugins' own. */
export const directives: ReadonlyMap<string, KnownDirective> = new Map(
  names.flatMap(([scope, value, text]) => {
    const [older = "", newer = ""] = text.split("2.1:");
    const entries = (part: string, since: MosquittoVersion) =>
      part
        .split(" ")
        .flatMap((name): (readonly [string, KnownDirective])[] =>
          name === "" ? [] : [[name, { scope, value, since, isList: lists.has(name) }]],
        );
    return [...entries(older, "2.0"), ...entries(newer, "2.1")];
  }),
);

const pluginOption: KnownDirective = { scope: "plugin", value: "text", since: "2.0", isList: false };

/** What Mosquitto knows of a name; undefined where it knows nothing, and would end. */
export function directiveOf(name: string): KnownDirective | undefined {
  return /^(plugin|auth)_opt_./.test(name) ? pluginOption : directives.get(name);
}
