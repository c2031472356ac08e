'use strict';
// destroy() in the data handler: nothing after but close
const { LO, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'DEST-8 DEST-1 CLOSE-1');

const srv = net.createServer((s) => {
  s.on('error', () => {});
  s.write('one');
  s.on('data', () => {});
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO), {
    data: false,
  });
  c.on('data', (d) => {
    rec('client', 'chunk', d.toString());
    c.destroy();
    rec('client', 'mark', 'destroy() returned', c.destroyed);
  });
});
