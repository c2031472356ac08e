'use strict';
// SNICallback error kills the handshake: tlsClientError with that error, client gets ECONNRESET
const {
  CA,
  later,
  LO,
  scenario,
  server_options,
  tls,
  watch_tls,
  watch_tls_server,
} = require('./tls_recorder');
scenario(__filename, 'TLSSNI-6 TLSERR-2 TLSERR-1');

const srv = watch_tls_server(
  'server',
  tls.createServer(
    server_options({
      SNICallback: (name, cb) =>
        setImmediate(() =>
          cb(Object.assign(new Error('no'), { code: 'E_SNI' })),
        ),
    }),
  ),
);
srv.listen(0, LO, () => {
  const c = watch_tls(
    'client',
    tls.connect({
      port: srv.address().port,
      host: LO,
      ca: CA,
      servername: 'localhost',
    }),
    { end: false },
  );
  c.on('close', () => later(50, () => srv.close()));
});
