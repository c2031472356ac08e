'use strict';
// client disconnects before / during the handshake: tlsClientError ECONNRESET at the server
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
scenario(__filename, 'TLSERR-6 TLSERR-2');

const srv = watch_tls_server('server', tls.createServer(server_options()));
srv.listen(0, LO, () => {
  const c = net.connect(srv.address().port, LO, () => c.end());
  c.resume();
  c.on('close', () => {
    rec('client', 'close');
    later(50, () => srv.close());
  });
});
