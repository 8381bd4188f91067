'use strict';
// Shows what settings would have changed, a moment after the last change of their form. The button
// of the panel does the same at once; without this script it opens a page.
window.addEventListener('DOMContentLoaded', () => {
    const panel = document.querySelector('[data-preview]');
    const form = panel && panel.closest('form');
    if (!form) {
        return;
    }
    const result = panel.querySelector('[data-preview-result]');
    const show = (html) => {
        result.innerHTML = html;
        result.removeAttribute('aria-busy');
    };
    const failed = '<p class="backoffice-quiet">No preview at the moment. Try again.</p>';
    let asked = null;
    let waiting;
    const preview = async () => {
        window.clearTimeout(waiting);
        if (asked) {
            asked.abort();
        }
        const own = asked = new AbortController();
        result.setAttribute('aria-busy', 'true');
        try {
            const answer = await fetch(panel.dataset.preview, {
                method: 'POST', body: new FormData(form), signal: own.signal,
                headers: { 'X-Requested-With': 'fetch' },
            });
            const html = answer.ok ? await answer.text() : failed;
            if (own === asked) {
                show(html);
            }
        } catch (error) {
            if (own === asked) {
                show(failed);
            }
        }
    };
    const later = () => {
        window.clearTimeout(waiting);
        waiting = window.setTimeout(preview, 1000);
    };
    const button = panel.querySelector('button');
    form.addEventListener('input', later);
    form.addEventListener('change', later);
    form.addEventListener('click', (event) => {
        const clicked = event.target.closest('button');
        if (clicked === button) {
            event.preventDefault();
            preview();
        } else if (clicked && clicked.type === 'button') { // one that adds or removes fields
            later();
        }
    });
});
