'use strict';
// unix path that does not exist, and one that is a plain file
const { fs, mark, net, path, rec, scenario, tmp, watch } =
  require('./recorder');
scenario(__filename, 'CONN-8 CONN-6 CLOSE-3');

const missing = path.join(tmp(), 'none.sock'),
  plain = path.join(tmp(), 'plain');
fs.writeFileSync(plain, 'x');
const a = watch('missing', net.connect(missing));
mark('missing', 'connect() returned');
a.on('error', (e) =>
  rec('missing', 'error-fields', e.syscall, e.address === missing),
);
const b = watch('plainfile', net.connect({ path: plain }));
mark('plainfile', 'connect() returned');
