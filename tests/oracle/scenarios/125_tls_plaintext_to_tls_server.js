'use strict';
// garbage instead of a ClientHello
const {
  later,
  LO,
  net,
  rec,
  scenario,
  server_options,
  tls,
  watch_tls_server,
} = require('./tls_recorder');
scenario(__filename, 'TLSERR-2 TLSERR-3');

const srv = watch_tls_server('server', tls.createServer(server_options()));
srv.on('tlsClientError', (e, s) =>
  rec('server', 'socket', s instanceof tls.TLSSocket),
);
srv.listen(0, LO, () => {
  const c = net.connect(srv.address().port, LO, () =>
    c.write('this is not tls at all, sorry\r\n'),
  );
  c.resume();
  c.on('error', () => {});
  c.on('close', () => {
    rec('client', 'close');
    later(50, () => srv.close());
  });
});
