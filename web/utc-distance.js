// Tells the form how far this device's clock is from UTC, so that a typed time means what the person means. Without
// JavaScript the page asks for UTC.
for (const field of document.querySelectorAll('[data-utc-minutes]')) {
  field.form.addEventListener('submit', () => {
    const typed = new Date(`${field.form.elements.day.value}T${field.form.elements.time.value}`);
    field.value = String((Number.isNaN(typed.valueOf()) ? new Date() : typed).getTimezoneOffset());
  });
}
for (const words of document.querySelectorAll('[data-utc-here]')) words.hidden = false;
for (const words of document.querySelectorAll('[data-utc-there]')) words.hidden = true;
