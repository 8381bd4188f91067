'use strict';
// The grid of opening hours: adds, removes and copies intervals, and names what two times mean. The
// server checks all of it again; without this script each day has an empty interval to fill in.
window.addEventListener('DOMContentLoaded', () => {
    const form = document.querySelector('#hours_form');
    const WEEKDAYS = ['1', '2', '3', '4', '5'];
    const show = (part) => part.querySelectorAll('[data-script]').forEach((each) => {
        each.hidden = false;
    });
    const ends = (pair) => [...pair.querySelectorAll('input')];
    const pairs = (day) => [...day.querySelectorAll('.hours-pair')];
    const describe = (day) => {
        let isWhole = false;
        pairs(day).forEach((pair) => {
            const [opens, closes] = ends(pair).map((input) => input.value);
            const isEqual = Boolean(opens) && opens === closes;
            const isNext = Boolean(opens && closes) && closes < opens;
            isWhole = isWhole || isEqual;
            pair.querySelector('.hours-note').textContent = isEqual ? '24 hours' : isNext ? 'next day' : '';
        });
        const confirm = day.querySelector('.hours-all-day');
        confirm.hidden = !isWhole;
        if (!isWhole) {
            confirm.querySelector('input').checked = false;
        }
    };
    const setPair = (pair, opens, closes) => {
        pair.querySelectorAll('.backoffice-error').forEach((error) => error.remove());
        ends(pair).forEach((input, number) => {
            input.value = number ? closes : opens;
            input.removeAttribute('aria-invalid');
        });
    };
    const add = (day, opens = '', closes = '') => {
        const pair = pairs(day)[0].cloneNode(true);
        setPair(pair, opens, closes);
        day.querySelector('.hours-intervals').append(pair);
        return pair;
    };
    const remove = (day, pair) => {
        if (pairs(day).length > 1) {
            pair.remove();
        } else {
            setPair(pair, '', '');
        }
        describe(day);
    };
    const tick = (day, name) => day.querySelector(`[name$="-${name}"]`);
    const copy = (from, to) => {
        const filled = pairs(from).map((pair) => ends(pair).map((input) => input.value))
            .filter((times) => times.some(Boolean));
        pairs(to).slice(1).forEach((pair) => pair.remove());
        setPair(pairs(to)[0], ...(filled.shift() || ['', '']));
        filled.forEach((times) => add(to, ...times));
        describe(to);
        ['closed', 'all_day'].forEach((name) => {
            tick(to, name).checked = tick(from, name).checked;
        });
        to.querySelectorAll('.backoffice-error').forEach((error) => error.remove());
    };
    // What is offered to those without scripts: an empty interval after others, an empty special day.
    form.querySelectorAll('.hours-spare').forEach((pair) => pair.remove());
    const specialDays = form.querySelector('#hours-special-days');
    if (specialDays) {
        specialDays.querySelector('.hours-special:last-child').remove();
    }
    show(form);
    let added = 0;
    const addSpecial = () => {
        const key = `new-${Date.now()}-${added++}`;
        const day = document.querySelector('#hours-special-blank').content.cloneNode(true).firstElementChild;
        const prefix = day.dataset.prefix;
        day.querySelector('[name=special]').value = key;
        day.querySelectorAll(`[name^="${prefix}-"]`).forEach((input) => {
            input.name = input.name.replace(prefix, `special-${key}`);
        });
        show(day);
        specialDays.append(day);
        day.querySelector('[type=date]').focus();
    };
    form.addEventListener('click', (event) => {
        const button = event.target.closest('button');
        const day = button && button.closest('.hours-day');
        if (!button) {
            return;
        }
        if ('add' in button.dataset) {
            ends(add(day))[0].focus();
        } else if ('remove' in button.dataset) {
            remove(day, button.closest('.hours-pair'));
        } else if ('removeSpecial' in button.dataset) {
            day.remove();
        } else if ('addSpecial' in button.dataset) {
            addSpecial();
        } else if (button.dataset.copy) {
            form.querySelectorAll('.hours-day[data-day]').forEach((other) => {
                if (other !== day && (button.dataset.copy === 'all' || WEEKDAYS.includes(other.dataset.day))) {
                    copy(day, other);
                }
            });
        }
        // For what listens to the form as it is filled in.
        form.dispatchEvent(new Event('input'));
    });
    form.addEventListener('input', (event) => {
        const day = event.target.closest && event.target.closest('.hours-day');
        if (day) {
            describe(day);
            // Who fills in times means that the day is open.
            if (event.target.closest('.hours-pair') && event.target.value) {
                tick(day, 'closed').checked = false;
            }
        }
        if (event.target.name === 'all_holidays') {
            form.querySelectorAll('[name=holiday]').forEach((box) => {
                box.checked = event.target.checked;
            });
        } else if (event.target.name === 'holiday' && !event.target.checked) {
            form.querySelector('[name=all_holidays]').checked = false;
        }
    });
    // Another country, region or year shows its holidays at once.
    form.querySelectorAll('.hours-region select').forEach((select) => {
        select.addEventListener('change', () => form.requestSubmit(form.querySelector('[name=_holidays]')));
    });
});
