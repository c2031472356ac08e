'use strict';
// TLS client against a plain text server
const {
  CA,
  LO,
  net,
  rec,
  scenario,
  tls,
  watch_tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSERR-4 TLSERR-1 CLOSE-3');

const srv = net.createServer((s) => {
  s.on('error', () => {});
  s.once('data', () => s.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = watch_tls(
    'client',
    tls.connect({ port: srv.address().port, host: LO, ca: CA }),
  );
  c.on('error', () => rec('client', 'state', c.authorized, c.destroyed));
});
