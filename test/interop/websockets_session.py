"""What a program written with Debian's python3-websockets does with Pitwall: sent to a
running server, one line of JSON about each thing that held. Arguments: address, key."""
import asyncio
import json
import sys

import websockets


async def receive(socket, matches):
    """The next message that matches; those before it are dropped."""
    while True:
        message = json.loads(await asyncio.wait_for(socket.recv(), 10))
        if matches(message):
            return message


def held(name, **details):
    print(json.dumps({'name': name, **details}), flush=True)


async def main(url, key):
    async with websockets.connect(url, subprotocols=[key]) as plain:
        welcome = await receive(plain, lambda message: message['type'] == 'welcome')
        held('plain', echoed=plain.subprotocol == key, protocol=welcome['protocol'])
        await plain.send(json.dumps({'motorRPM': 4200, 'vehicle': 'python', 'fahrer': 'Jürgen 🏁'}))
        status = await receive(plain, lambda message: message['type'] == 'status')
        held('status', data=status['data'])

    offered = ['pitwall.v1', key]
    async with websockets.connect(url, subprotocols=offered) as socket:
        await receive(socket, lambda message: message['type'] == 'welcome')
        await socket.send(json.dumps({'id': '1', 'type': 'subscribe', 'channel': 'app:python'}))
        subscribed = await receive(socket, lambda message: message.get('id') == '1')
        # One message in several frames.
        text = json.dumps({'id': '2', 'type': 'publish', 'channel': 'app:python', 'data': {'n': 1, 'text': 'ä' * 1000}})
        await socket.send(text[start:start + 100] for start in range(0, len(text), 100))
        pushed = await receive(socket, lambda message: message['type'] == 'data')
        held('fragments', protocol=socket.subprotocol, n=pushed['data']['n'], length=len(pushed['data']['text']))
        latency = await asyncio.wait_for(await socket.ping(), 10)
        held('ping', answered=latency is None or latency >= 0)
        # Compression may be offered; the server takes none unless it is told to.
        held('extensions', names=[extension.name for extension in socket.extensions])
        large = 'x' * 500_000
        await socket.send(json.dumps({'id': '3', 'type': 'publish', 'channel': 'app:python', 'data': {'n': 2, 'text': large}}))
        pushed = await receive(socket, lambda message: message['type'] == 'data')
        held('large', length=len(pushed['data']['text']))
        await socket.send(b'\x00\x01')
        error = await receive(socket, lambda message: message['type'] == 'error')
        held('binary', code=error['payload']['code'])
        await socket.close(1000)
        held('close', code=socket.close_code)

    async with websockets.connect(url, subprotocols=offered) as again:
        await again.send(json.dumps({'id': '4', 'type': 'subscribe', 'channel': 'app:python', 'since': subscribed['cursor']}))
        answer = await receive(again, lambda message: message.get('id') == '4')
        numbers = [(await receive(again, lambda message: message['type'] == 'data'))['data']['n'] for _ in range(2)]
        held('resume', recovered=answer['recovered'], numbers=numbers)

    try:
        await websockets.connect(url, subprotocols=['pitwall.v1', 'pw_unknown-key-0123456789'])
    except websockets.InvalidStatusCode as refusal:
        held('refused', status=refusal.status_code)


asyncio.run(main(*sys.argv[1:]))
