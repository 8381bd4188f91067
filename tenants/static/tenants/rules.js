'use strict';
// The actions of the chosen type alone, and the rule as a sentence while it is written.
window.addEventListener('load', () => {
    const type = document.querySelector('#id_rule_type');
    const says = document.querySelector('.rule-says');
    const form = type && type.form;
    if (!form || !says) {
        return;
    }
    says.setAttribute('role', 'status');
    const show = () => {
        document.querySelectorAll('[class*="rule-actions-"]').forEach((part) => {
            part.hidden = Boolean(type.value) && !part.classList.contains(`rule-actions-${type.value}`);
        });
    };
    let asked = 0;
    const preview = async () => {
        const number = ++asked;
        const address = form.action.replace(/conversationrule\/.*$/, 'conversationrule/preview/');
        const answer = await fetch(address, { method: 'POST', body: new FormData(form) });
        if (answer.ok && number === asked) {
            says.textContent = await answer.text();
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
