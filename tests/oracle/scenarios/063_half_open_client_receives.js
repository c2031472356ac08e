'use strict';
// a default client keeps receiving after its own end()
const { LO, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'HALF-4 HALF-3 ACC-7 END-8 HALF-5 DATA-1');

const srv = net.createServer({ allowHalfOpen: true }, (s) => {
  s.resume();
  s.on('end', () => {
    let i = 0;
    const t = setInterval(() => {
      if (++i <= 3) s.write('part' + i + ' ');
      else {
        clearInterval(t);
        s.end();
      }
    }, 30);
  });
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO));
  rec('client', 'state', c.readyState);
  c.on('connect', () => {
    rec('client', 'state', c.readyState);
    c.end();
    rec('client', 'state', c.readyState);
  });
  c.on('close', () => rec('client', 'state', c.readyState));
});
