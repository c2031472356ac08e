'use strict';
// setTimeout(0) disarms and unregisters its callback; a new value replaces the
// old
const { LO, later, mark, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'TIME-3 TIME-6 TIME-13');

const srv = net.createServer((s) => {
  s.resume();
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO), {
    data: false,
  });
  c.resume();
  const cb1 = () => rec('client', 'UNEXPECTED cb1'),
    cb2 = () => rec('client', 'cb2');
  c.on('connect', () => {
    c.setTimeout(80, cb1);
    c.setTimeout(0, cb1);
    rec('client', 'prop', c.timeout);
    later(250, () => {
      mark('client', 'nothing so far');
      c.setTimeout(60000);
      c.setTimeout(60, cb2);
      rec('client', 'prop', c.timeout);
    });
    later(600, () => c.end());
  });
});
