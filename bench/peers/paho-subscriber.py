"""Takes messages by Paho and makes requests by requests, in a pool of threads."""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import requests

broker = urlsplit(sys.argv[1])
api = sys.argv[2]
local = threading.local()


def forward(topic, payload):
    if not hasattr(local, "session"):
        local.session = requests.Session()
    envelope = json.loads(payload)
    local.session.post(f"{api}/{topic}", data=json.dumps(envelope["body"]), headers=envelope["header"]).close()


pool = ThreadPoolExecutor(max_workers=16)
arguments = [mqtt.CallbackAPIVersion.VERSION1] if hasattr(mqtt, "CallbackAPIVersion") else []
client = mqtt.Client(*arguments, client_id="paho-subscriber", protocol=mqtt.MQTTv311)
client.on_connect = lambda c, *_: c.subscribe("v1/drivers/+/location", qos=1)
client.on_message = lambda c, u, message: pool.submit(forward, message.topic, message.payload)
client.connect(broker.hostname, broker.port)
client.loop_forever()
