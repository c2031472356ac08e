'use strict';
// write() after end(): error to callback and 'error' event
const { LO, later, mark, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'WRITE-7 CLOSE-2 CLOSE-3 ERR-1 EVT-6');

const srv = net.createServer({ allowHalfOpen: true }, (s) => {
  s.on('error', () => {});
  s.resume();
  s.on('close', () => srv.close());
  s.on('end', () => later(50, () => s.end()));
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO), {
    data: false,
  });
  c.resume();
  c.on('connect', () => {
    c.end('fin');
    rec(
      'client',
      'write',
      c.write('late', (e) => rec('write_cb', 'cb', e && e.code)),
    );
    mark('client', 'write() returned');
  });
});
