'use strict';
// Shows the actions of the chosen type only, and the rule as a sentence while it is edited.
window.addEventListener('load', () => {
    const type = document.querySelector('#id_rule_type');
    const summary = document.querySelector('.rule-summary');
    const form = type && type.form;
    if (!form || !summary) {
        return;
    }
    summary.setAttribute('role', 'status');
    const show = () => {
        document.querySelectorAll('[class*="rule-actions-"]').forEach((part) => {
            part.hidden = !part.classList.contains(`rule-actions-${type.value}`);
        });
    };
    // All actions of today have fields of their own; other ones are in rows of an older schema.
    const others = form.querySelector('[name=then_more]');
    if (others && ['', '{}'].includes(others.value.trim())) {
        others.closest('.rule-more').hidden = true;
    }
    let latest = 0;
    const preview = async () => {
        const number = ++latest;
        const address = form.action.replace(/conversationrule\/.*$/, 'conversationrule/preview/');
        const answer = await fetch(address, { method: 'POST', body: new FormData(form) });
        if (answer.ok && number === latest) {
            summary.textContent = await answer.text();
        }
    };
    let waiting;
    form.addEventListener('input', () => {
        show();
        window.clearTimeout(waiting);
        waiting = window.setTimeout(preview, 250);
    });
    type.addEventListener('change', show);
    show();
});
