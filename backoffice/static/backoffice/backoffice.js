'use strict';
// The content security policy allows neither the style element of htmx nor code in attributes.
Object.assign(window.htmx.config, { includeIndicatorStyles: false, allowEval: false });
// A line that was chosen in the filter needs no press on "Apply".
window.addEventListener('load', () => {
    const $ = window.django && window.django.jQuery;
    if ($) {
        $('.backoffice-filter select[data-submit]').on('select2:select select2:clear', (event) => {
            event.target.form.submit();
        });
    }
});
// The command palette listens to keys alone: what a mouse pastes counts too, and Enter waits for the
// answer to what stands there now.
const PALETTE = 'search-input-command';
let isAnswered = false;
let isChosen = false;
const firstAnswer = () => document.querySelector('#command-results-list a');
document.addEventListener('input', (event) => {
    if (event.target.id === PALETTE) {
        isAnswered = isChosen = false;
        event.target.dispatchEvent(new KeyboardEvent('keyup'));
    }
});
document.addEventListener('keydown', (event) => {
    if (event.target.id === PALETTE && event.key === 'Enter' && !(isAnswered && firstAnswer())) {
        event.preventDefault();
        event.stopImmediatePropagation();
        isChosen = !isAnswered;
    }
}, true);
document.addEventListener('htmx:afterSwap', (event) => {
    if (event.target.id === 'command-results') {
        isAnswered = true;
        if (isChosen && firstAnswer()) {
            window.location = firstAnswer().href;
        }
        isChosen = false;
    }
});
// JSON is checked while it is typed; the server checks it again.
window.addEventListener('load', () => {
    document.querySelectorAll('textarea.json').forEach((box, number) => {
        const says = document.createElement('p');
        says.id = `json-says-${number}`;
        says.className = 'backoffice-json';
        summary.setAttribute('role', 'status');
        box.after(says);
        box.setAttribute('aria-describedby', says.id);
        box.addEventListener('input', () => {
            summary.textContent = '';
            try {
                const value = box.value.trim() ? JSON.parse(box.value) : {};
                if (value === null || typeof value !== 'object' || Array.isArray(value)) {
                    summary.textContent = 'Write a JSON object, such as {"language": "en"}.';
                }
            } catch (error) {
                summary.textContent = error.message;
            }
            box.setAttribute('aria-invalid', summary.textContent ? 'true' : 'false');
        });
    });
});
// Names that Django's own scripts leave out, for those who hear the page; after those scripts.
window.addEventListener('load', () => window.setTimeout(() => {
    document.querySelectorAll('.search-label-icon').forEach((icon) => icon.setAttribute('role', 'img'));
    document.querySelectorAll('select.admin-autocomplete').forEach((select) => {
        const name = select.getAttribute('aria-label') || (select.labels[0] || select).textContent.trim();
        const shown = select.parentElement.querySelector('.select2-container');
        if (name && shown) {
            shown.querySelectorAll('[role=combobox], [role=textbox]').forEach((part) => {
                part.setAttribute('aria-label', name);
            });
        }
    });
}, 0));
