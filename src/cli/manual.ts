export function manualPage(): string {
  return '';
}
