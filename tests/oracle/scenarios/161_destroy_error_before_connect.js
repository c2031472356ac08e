'use strict';
// destroy(err) while connecting: no connect, the error once, close(true),
// queued write fails
const { LO, later, mark, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'CONN-17 DEST-2 WRITE-11 CLOSE-2');

const srv = net.createServer((s) => {
  s.on('error', () => {});
  s.resume();
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO));
  c.write('never sent', (e) => rec('write_cb', e ? 'failed' : 'ok'));
  c.destroy(Object.assign(new Error('x'), { code: 'E_X' }));
  mark('client', 'destroy() returned');
  c.on('close', () => later(100, () => srv.close()));
});
