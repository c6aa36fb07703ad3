/**
 * The one DSA group every DSA member signs in: 3072-bit p, 256-bit q, made by FIPS 186-4 appendix A.1.1.2 (SHA-256)
 * and g by A.2.3. Shipped, because only y travels: nobody can bring a group with a trapdoor.
 *
 * The seed leaves nothing to choose: it is SHA-256("securechat DSA 3072/256 106"), 106 being the first number for
 * which the procedure finds p and q. A test derives everything from the seed again.
 * @see docs/protocol.md#keys
 */
import type { Bytes } from '../protocol/bytes.ts';

function fromHex(...lines: readonly string[]): Bytes {
  return new Uint8Array(Buffer.from(lines.join(''), 'hex'));
}

/** Numbers are big-endian and fill their arrays. */
export const DSA_GROUP = {
  seedText: 'securechat DSA 3072/256 106',
  seed: fromHex('c05f9f11e1c52795f156d92fbed03f3a04cfa7fd380f00e3680da46cb1629978'),
  /** Which candidate for p, counted from 0, was prime. */
  counter: 1150,
  /** The index byte of A.2.3. */
  generatorIndex: 1,
  p: fromHex(
    '831294619d40a60a2ace32aa67d6d06e343c7cc028ff0c21f5f085840708a8860004002feffea24d4b4b5a49bb6d75f3',
    '1d9442bcae7fb1ad60b4dc6c2ca02fc0047d43e5a7023ae66bbdec7106e1c2c725941d2256fec2bf046aefa0b8524cc4',
    'e31588e631d96e2965b4afb0c8f3447074c07954f187b61dab754ccc584c9e92adff2be415285cd8fcf398da303e2538',
    'd0c098ac0613c0e9064854fa7b14e9f69629f7590e9f84b2205ab92b102bf6c48d624eefef218ff62cdb960991616867',
    'cb4997549491c57d863afaf52f7567a3f303b4d574f8ef2edf84a7fd8381a4ce38a37416f56b5501883901961b879913',
    '9c143a41c5e8c6ace4d205ce396c5b97d04328714790c65c8ef997cf1688adb1fdb240b01f3bc70dd48ab9667fbd3499',
    '3523773019409c5ca8879e79f374213e62f297775181c8dc01a110a81cbd1408d167eed60f1da145c8a6b931465b5ebf',
    'e9a1ef26aea6215551b2c8744e33b0faa03d46bd748cafd68e693960be3ca4cad7a33e98c5f11e3b402ff8b4c08743b5',
  ),
  q: fromHex('ed1276b6bc993bae9e78ef6e8b59d431e8cfd8b54106d16b0b8ff2904ffca9ff'),
  g: fromHex(
    '203c6efa0275882a94ff837427d8d00d5e572dee4aed0548ae51d6824e556d92d8134c90ce2b0446979f1ee1eda382c9',
    'a0c0037fedd8394399445189b24c7f66f01fc5314f72bf3e9df42aa059cc759f4e7b0543c08501b467b3fc8f7f1aea15',
    'ea512c2cebfb1db5930ae4e4e520e2c52a842dc2705bc2ed79d721e5df3984dfc68f6f16378706d728d8bb0d46584765',
    '99668a0e6622ae2af27cc0ed0cfb5152cb5e597615178511dedd782cf44ed626515f48a946d24395bfff8aa9019d8930',
    '75bbd925fa505304ddafc0795468516c7084aa368596678f04121ca3f13bf2ab45debe0e619ab33b18188c50f9882b16',
    '2dac5a9b90d9c76fefe1674fa4a7ded2a8c2431b17ccec2263423ce0e3ab5da169f042fdfa44a2e12516f248d5aa30f5',
    '9e71075ad33aec2988b7ba036076baa3e672429a2953c1ac473698745fd87bfbd1179e745ec31a888cc53c9d0e5a949c',
    '66967f86860a4602fb144f37157a101b4af5e951d5bc28000642c45a441f21e5180dcb96a8121ffcc123a272f33f149c',
  ),
} as const;
