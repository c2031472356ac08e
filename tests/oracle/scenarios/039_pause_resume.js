'use strict';
// pause inside the data handler; rest of data and 'end' wait for resume()
const { LO, later, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'FLOW-4 FLOW-5 FLOW-7 FLOW-11');

const srv = net.createServer((s) => {
  s.write('first');
  s.on('data', () => s.end('second'));
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO));
  c.once('data', () => {
    rec('client', 'pause', c.pause() === c, c.isPaused());
    c.write('go');
    later(200, () => {
      rec('client', 'mark', 'before resume()');
      const r = c.resume();
      rec('client', 'mark', 'resume() returned', r === c, c.isPaused());
    });
  });
  c.on('close', () => srv.close());
});
