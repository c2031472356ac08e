'use strict';
// write() after destroy(): only the callback hears about it
const { LO, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'WRITE-8 DEST-1 ERR-1');

const srv = net.createServer((s) => {
  s.on('error', () => {});
  s.resume();
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO));
  c.on('connect', () => {
    c.destroy();
    rec(
      'client',
      'write',
      c.write('x', (e) => rec('write_cb', 'cb', e && e.code)),
    );
    c.on('close', () => {
      rec(
        'client',
        'write',
        c.write('y', (e) => rec('write_cb', 'cb', e && e.code)),
      );
    });
  });
});
