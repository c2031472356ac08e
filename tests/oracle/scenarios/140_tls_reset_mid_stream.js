'use strict';
// TCP RST after the handshake
const {
  CA,
  later,
  LO,
  net,
  scenario,
  server_options,
  tls,
  watch_tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSEND-4 ERR-2 CLOSE-2');

const srv = tls.createServer(server_options(), (s) => {
  s.on('error', () => {});
  s.write('partial');
});
srv.listen(0, LO, () => {
  let down;
  const proxy = net.createServer((a) => {
    const b = net.connect(srv.address().port, LO);
    down = a;
    a.on('data', (d) => b.write(d));
    b.on('data', (d) => a.write(d));
    a.on('error', () => {});
    b.on('error', () => {});
    a.on('close', () => {
      b.destroy();
      proxy.close();
      srv.close();
    });
  });
  proxy.listen(0, LO, () => {
    const c = watch_tls(
      'client',
      tls.connect({ port: proxy.address().port, host: LO, ca: CA }),
    );
    c.on('data', () => later(80, () => down.resetAndDestroy()));
  });
});
