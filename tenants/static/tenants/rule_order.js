'use strict';
// Rules change places by dragging, arrows or numbers; the order is saved with the form.
window.addEventListener('DOMContentLoaded', () => {
    const list = document.querySelector('.rule-order');
    const status = document.querySelector('#rule-moved');
    const rules = () => [...list.querySelectorAll('li')];
    // The server reads the place in the list and the number; here the two are always the same.
    const place = (rule, before, focused) => {
        list.insertBefore(rule, before);
        rules().forEach((each, index) => {
            each.querySelector('[name=position]').value = index + 1;
        });
        focused.focus();
        status.textContent = `Now at place ${rules().indexOf(rule) + 1} of ${rules().length}. Save to keep it.`;
    };
    document.querySelectorAll('[data-script]').forEach((part) => {
        part.hidden = false;
    });
    list.addEventListener('click', (event) => {
        const button = event.target.closest('[data-move]');
        const rule = button && button.closest('li');
        if (button && button.dataset.move === 'up' && rule.previousElementSibling) {
            place(rule, rule.previousElementSibling, button);
        } else if (button && button.dataset.move === 'down' && rule.nextElementSibling) {
            place(rule, rule.nextElementSibling.nextElementSibling, button);
        }
    });
    list.addEventListener('change', (event) => {
        const rule = event.target.closest('li');
        const others = rules().filter((each) => each !== rule);
        const wanted = Math.min(Math.max(Math.trunc(event.target.value) || 1, 1), others.length + 1);
        place(rule, others[wanted - 1] || null, event.target);
    });
    // Pointer events, since fingers do not drag what a mouse does.
    let dragged = null;
    list.addEventListener('pointerdown', (event) => {
        const handle = event.target.closest('.rule-handle');
        if (handle) {
            event.preventDefault();
            dragged = handle.closest('li');
            dragged.classList.add('rule-dragged');
            list.setPointerCapture(event.pointerId);
        }
    });
    list.addEventListener('pointermove', (event) => {
        if (!dragged) {
            return;
        }
        const next = rules().find((each) => each !== dragged
            && event.clientY < each.getBoundingClientRect().top + each.offsetHeight / 2) || null;
        if (next !== dragged.nextElementSibling) {
            list.insertBefore(dragged, next);
        }
    });
    const drop = () => {
        if (dragged) {
            dragged.classList.remove('rule-dragged');
            place(dragged, dragged.nextElementSibling, dragged.querySelector('[name=position]'));
            dragged = null;
        }
    };
    list.addEventListener('pointerup', drop);
    list.addEventListener('pointercancel', drop);
});
