'use strict';
// peer closes the TCP connection before the handshake is over
const { CA, LO, net, scenario, tls, watch_tls } = require('./tls_recorder');
scenario(__filename, 'TLSERR-5 TLSERR-1 CLOSE-3');

const srv = net.createServer((s) => {
  s.on('error', () => {});
  s.once('data', () => s.end());
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  watch_tls(
    'client',
    tls.connect({ port: srv.address().port, host: LO, ca: CA }),
    { end: false },
  );
});
