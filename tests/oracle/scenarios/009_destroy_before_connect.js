'use strict';
// destroy() right after connect(): only close(false)
const { LO, later, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'CONN-17 DEST-1 CLOSE-5');

const srv = net.createServer((s) => {
  s.on('error', () => {});
  s.resume();
});
srv.listen(0, LO, () => {
  const c = watch(
    'client',
    net.connect(srv.address().port, LO, () => rec('client', 'callback')),
  );
  c.destroy();
  rec(
    'client',
    'mark',
    'destroy() returned',
    c.destroyed,
    c.connecting,
    c.writable,
    c.readable,
  );
  c.on('close', () => later(100, () => srv.close()));
});
