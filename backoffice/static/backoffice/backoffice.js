'use strict';
// The content security policy allows neither the style element of htmx nor code in attributes.
Object.assign(window.htmx.config, { includeIndicatorStyles: false, allowEval: false });
// Choosing a line in the filter applies it.
window.addEventListener('load', () => {
    const $ = window.django && window.django.jQuery;
    if ($) {
        $('.backoffice-filter select[data-submit]').on('select2:select select2:clear', (event) => {
            event.target.form.submit();
        });
    }
});
// Unfold's command palette listens to keys only. Here text pasted with the mouse counts too, and Enter
// waits for the results of the current text.
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
// Checks JSON while it is typed; the server checks it again.
window.addEventListener('load', () => {
    document.querySelectorAll('textarea.json').forEach((box, number) => {
        const message = document.createElement('p');
        message.id = `json-message-${number}`;
        message.className = 'backoffice-json';
        message.setAttribute('role', 'status');
        box.after(message);
        box.setAttribute('aria-describedby', message.id);
        box.addEventListener('input', () => {
            message.textContent = '';
            try {
                const value = box.value.trim() ? JSON.parse(box.value) : {};
                if (value === null || typeof value !== 'object' || Array.isArray(value)) {
                    message.textContent = 'Enter a JSON object, such as {"language": "en"}.';
                }
            } catch (error) {
                message.textContent = error.message;
            }
            box.setAttribute('aria-invalid', message.textContent ? 'true' : 'false');
        });
    });
});
// Labels for screen readers that Django's own scripts leave out; runs after those scripts.
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
