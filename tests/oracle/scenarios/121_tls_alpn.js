'use strict';
// server order wins; absent on either side means no protocol
const {
  CA,
  LO,
  rec,
  scenario,
  server_options,
  tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSALPN-1 TLSALPN-2 TLSALPN-3');

const go = (actor, sp, cp, next) => {
  const srv = tls.createServer(
    server_options(sp ? { ALPNProtocols: sp } : {}),
    (s) => {
      rec(actor, 'server', s.alpnProtocol);
      s.end();
    },
  );
  srv.listen(0, LO, () => {
    const c = tls.connect({
      port: srv.address().port,
      host: LO,
      ca: CA,
      ...(cp ? { ALPNProtocols: cp } : {}),
    });
    c.resume();
    let got;
    c.on('secureConnect', () => {
      got = c.alpnProtocol;
    });
    c.on('close', () => {
      rec(actor + '_client', 'client', got);
      srv.close();
      next && next();
    });
  });
};
go('both', ['h2', 'http/1.1'], ['http/1.1', 'h2'], () =>
  go('second', ['x', 'b'], ['a', 'b'], () =>
    go('client_none', ['h2'], null, () => go('server_none', null, ['h2'])),
  ),
);
