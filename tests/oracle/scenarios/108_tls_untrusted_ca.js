'use strict';
// default client rejects a chain it cannot verify: error, close, never secureConnect
const {
  later,
  LO,
  rec,
  scenario,
  server_options,
  tls,
  watch_tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSAUTH-1 TLSAUTH-2 TLSERR-1 CLOSE-3');

const srv = tls.createServer(server_options(), (s) => {
  s.on('error', () => {});
  s.resume();
});
srv.on('tlsClientError', () => {});
srv.listen(0, LO, () => {
  const c = watch_tls(
    'client',
    tls.connect({ port: srv.address().port, host: LO }),
  );
  c.on('error', () =>
    rec('client', 'state', c.authorized, c.authorizationError),
  );
  c.on('close', () => later(50, () => srv.close()));
});
