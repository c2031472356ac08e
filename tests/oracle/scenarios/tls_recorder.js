// recorder.js, and what scenarios with TLS need besides. The certificates are
// made by the build; the folder that they are in is named by CERTIFICATES.
'use strict';
const recorder = require('./recorder');
const tls = require('tls');
const { fs, path, rec, watch, watch_server } = recorder;

const pem = (name) =>
  fs.readFileSync(path.join(process.env.CERTIFICATES, name));
const CA = pem('ca-cert.pem');

const server_options = (others = {}) => ({
  key: pem('server-key.pem'),
  cert: pem('server-cert.pem'),
  ...others,
});
const watch_tls = (actor, socket, unless = {}) => {
  socket.on('secureConnect', () => rec(actor, 'secureConnect'));
  return watch(actor, socket, unless);
};
const watch_tls_server = (actor, server) => {
  server.on('secureConnection', () => rec(actor, 'secureConnection'));
  server.on('tlsClientError', (error) =>
    rec(actor, 'tlsClientError', error.code),
  );
  return watch_server(actor, server);
};

module.exports = {
  ...recorder,
  CA,
  pem,
  server_options,
  tls,
  watch_tls,
  watch_tls_server,
};
