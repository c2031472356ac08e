'use strict';
// address properties before, during and after a connection
const { LO, net, rec, scenario } = require('./recorder');
scenario(__filename, 'ADDR-1 ADDR-2 ADDR-3 ADDR-4 ADDR-5');

const srv = net.createServer((s) => {
  const a = s.address();
  rec(
    'server_socket',
    'local',
    a.address,
    a.family,
    a.port === srv.address().port,
    s.localPort === a.port,
    s.remoteAddress,
  );
  s.resume();
  s.on('close', () => {
    rec(
      'server_socket',
      'after',
      s.localAddress === undefined,
      Object.keys(s.address()),
    );
    srv.close();
  });
});
srv.listen(0, LO, () => {
  const c = new net.Socket();
  rec(
    'client',
    'before',
    [c.remoteAddress, c.remotePort, c.localAddress, c.localPort].every(
      (x) => x === undefined,
    ),
    Object.keys(c.address()),
  );
  c.connect(srv.address().port, LO);
  c.resume();
  rec(
    'client',
    'connecting',
    c.remoteAddress === undefined,
    c.remotePort === undefined,
  );
  c.on('connect', () => {
    const a = c.address();
    rec(
      'client',
      'connected',
      c.remoteAddress,
      c.remoteFamily,
      c.remotePort === srv.address().port,
      c.localAddress,
      c.localFamily,
      a.port === c.localPort && c.localPort > 0,
      a.family,
    );
    c.end();
  });
  c.on('close', () =>
    rec(
      'client',
      'after',
      c.localAddress === undefined,
      c.localPort === undefined,
    ),
  );
});
