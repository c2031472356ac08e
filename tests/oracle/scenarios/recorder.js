// What every scenario records with:
//
//   scenario(__filename, 'CONN-5 CONN-2');  // its name, and rules
//   watch('client', net.connect(path));     // the usual events of a socket
//   mark('client', 'connect() returned');   // this moment
//
// When the loop has drained by itself, one line of JSON is printed: for each
// actor, its events in order. An event is a name and arguments.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const net = require('net');
const os = require('os');
const path = require('path');

const LO = '127.0.0.1';
const trace = {};
const later = (ms, task) => setTimeout(task, ms);

const rec = (actor, ...event) => {
  (trace[actor] = trace[actor] || []).push(event);
};
const mark = (actor, what) => rec(actor, 'mark', what);

// Where a stream is cut is nothing to rely on: adjacent data is one event.
const recData = (actor, data) => {
  const events = (trace[actor] = trace[actor] || []);
  const last = events[events.length - 1];
  const text = typeof data === 'string' ? data : data.toString('latin1');
  if (last && last[0] === 'data') last[1] += text;
  else events.push(['data', text]);
};

// `unless` names events that are left out: watch('client', c, { data: false }).
const watch = (actor, socket, unless = {}) => {
  if (unless.connect !== false)
    socket.on('connect', () => rec(actor, 'connect'));
  if (unless.data !== false) socket.on('data', (data) => recData(actor, data));
  if (unless.end !== false) socket.on('end', () => rec(actor, 'end'));
  socket.on('timeout', () => rec(actor, 'timeout'));
  socket.on('error', (error) => rec(actor, 'error', error.code));
  socket.on('close', (hadError) => rec(actor, 'close', Boolean(hadError)));
  return socket;
};
const watch_server = (actor, server) => {
  server.on('listening', () => rec(actor, 'listening'));
  server.on('error', (error) => rec(actor, 'error', error.code));
  server.on('close', () => rec(actor, 'close'));
  return server;
};

// The beginning of SHA-256: for data that is too long to be written down.
const sha = (bytes) =>
  crypto.createHash('sha256').update(bytes).digest('hex').slice(0, 16);

// A folder of the scenario's own, removed at the end.
let folder;
const tmp = () =>
  folder || (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'oracle-')));

const scenario = (file, rules) => {
  const name = path.basename(file, '.js');
  const stuck = () => {
    console.error(`${name} does not end: ${JSON.stringify(trace)}`);
    process.exit(9);
  };
  setTimeout(stuck, 9000).unref();
  process.on('exit', (code) => {
    if (folder) fs.rmSync(folder, { recursive: true, force: true });
    if (code) return;
    const sorted = Object.fromEntries(Object.entries(trace).sort());
    const line = { scenario: name, rules: rules.split(' '), trace: sorted };
    process.stdout.write(JSON.stringify(line) + '\n');
  });
};

module.exports = {
  LO,
  crypto,
  fs,
  later,
  mark,
  net,
  path,
  rec,
  scenario,
  sha,
  tmp,
  watch,
  watch_server,
};
