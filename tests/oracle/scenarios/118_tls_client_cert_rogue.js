'use strict';
// client certificate from an unknown CA is refused by a strict server
const {
  CA,
  later,
  LO,
  pem,
  rec,
  scenario,
  server_options,
  tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSCC-7 TLSCC-4 TLSERR-2');

const srv = tls.createServer(server_options({ ca: CA, requestCert: true }));
srv.on('secureConnection', () => rec('server', 'UNEXPECTED secureConnection'));
srv.on('tlsClientError', (e, s) =>
  rec('server', 'tlsClientError', s instanceof tls.TLSSocket, s.authorized),
);
srv.listen(0, LO, () => {
  const c = tls.connect({
    port: srv.address().port,
    host: LO,
    ca: CA,
    maxVersion: 'TLSv1.2',
    key: pem('rogue-key.pem'),
    cert: pem('rogue-cert.pem'),
  });
  c.on('secureConnect', () => {});
  c.on('error', () => {});
  c.on('close', () => {
    rec('client', 'close');
    later(50, () => srv.close());
  });
});
