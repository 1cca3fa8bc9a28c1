// Sends events over 20 connections, one at a time on each, until the api is gone or the time is over. Prints the eventId of
// each accepted event. It runs inside the image, so that docker/verify.sh needs only a container engine.
import http from 'node:http';
import process from 'node:process';

const [url, tenant, seconds] = process.argv.slice(2);
const endMs = Date.now() + Number(seconds) * 1000;
const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
let next = 0;

function send(eventId) {
  const body = JSON.stringify({ eventType: 'verify.sent', subject: 'verify', eventId, payload: { eventId } });
  const headers = { 'Content-Type': 'application/json', 'X-Tenant-Id': tenant };
  return new Promise((resolve) => {
    const request = http.request(`${url}/v1/events`, { method: 'POST', headers, agent }, (answer) => {
      answer
        .resume()
        .on('end', () => resolve(answer.statusCode))
        .on('error', () => resolve(0));
    });
    request.on('error', () => resolve(0)).end(body);
  });
}

async function sendUntilGone() {
  while (Date.now() < endMs) {
    const eventId = `verify-${(next += 1)}`;
    const status = await send(eventId);
    if (status === 202) process.stdout.write(`${eventId}\n`);
    else if (status === 0) return;
  }
}

await Promise.all(Array.from({ length: 20 }, sendUntilGone));
agent.destroy();
