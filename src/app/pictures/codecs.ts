/** WebAssembly that the decoders run, by the names their packages have for it. The build takes it along. */
export const PICTURE_CODECS = {
  png: '@jsquash/png/codec/pkg/squoosh_png_bg.wasm',
  jpeg: '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm',
} as const;
