'use strict';
// writing to a peer that fully closed: first write vanishes, a later one fails
const { LO, later, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'WRITE-15 ERR-3 CLOSE-2 HALF-2');

const srv = net.createServer((s) => {
  s.on('error', () => {});
  s.destroy();
  srv.close();
});
srv.listen(0, LO, () => {
  const c = watch(
    'client',
    net.connect({ port: srv.address().port, host: LO, allowHalfOpen: true }),
  );
  c.on('end', () =>
    later(50, () => {
      c.write('first', (e) => rec('write_cb', 'first', e ? e.code : null));
      later(100, () =>
        c.write('second', (e) => rec('write_cb', 'second', e ? e.code : null)),
      );
    }),
  );
  c.on('error', (e) => rec('client', 'syscall', e.syscall));
});
