/*
 * entry.c - the calls that a guest's system call and fork make, as methods of a type
 * of Python's own.
 *
 * cffi reaches every function of hw.h, but each call through it lets go of the
 * interpreter's lock, saves errno and converts a pointer, which together cost several
 * times what these functions do.  The few that every trap or every fork goes through
 * are therefore offered here once more.  They add nothing to hw.h: what a call means
 * is said there.
 *
 * This is a second module in the shared object that cffi builds, found by its init
 * function's name (PEP 489).  Limited API of Python 3.10.  docs/adr/0010.
 */
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030A0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>

#include "hw.h"

/* A slice of more cycles than this is run without the interpreter's lock. */
#define LONG_SLICE 2000000u

struct entry {
	PyObject_HEAD
	hw_machine *m;
	struct hw_slice *s;
	PyObject *owner;                  /* keeps both alive */
};

#define M(self) (((struct entry *)(self))->m)

/* The arguments as numbers: n of them, unsigned, no more than 64 bits. */
static int numbers(PyObject *const *args, Py_ssize_t nargs, uint64_t *to, Py_ssize_t n)
{
	if (nargs != n) {
		PyErr_Format(PyExc_TypeError, "%zd arguments, %zd expected", nargs, n);
		return -1;
	}
	for (Py_ssize_t i = 0; i < n; i++) {
		to[i] = PyLong_AsUnsignedLongLong(args[i]);
		if (to[i] == (uint64_t)-1 && PyErr_Occurred())
			return -1;
	}
	return 0;
}

/* As numbers(), for names of 32 bits. */
static int names(PyObject *const *args, Py_ssize_t nargs, uint64_t *to, Py_ssize_t n)
{
	if (numbers(args, nargs, to, n) < 0)
		return -1;
	for (Py_ssize_t i = 0; i < n; i++)
		if (to[i] > UINT32_MAX) {
			PyErr_SetString(PyExc_OverflowError, "more than 32 bits");
			return -1;
		}
	return 0;
}

PyDoc_STRVAR(go_doc,
"go(result: int | None) -> int\n\n"
"Run the slice until a trap.  First, unless it is None, give the system call that\n"
"the context stands at its result: a0, and on past the ecall.  Returns the number\n"
"(a7) of a system call, or -1 - Trap for any other trap.");

static PyObject *go(PyObject *self, PyObject *result)
{
	struct hw_slice *s = ((struct entry *)self)->s;
	struct hw_ctx *c;
	int trap;

	if (s == NULL || (c = hw_ctx_at(s->m, (uint32_t)s->ctx)) == NULL) {
		PyErr_SetString(PyExc_SystemError, "go: no slice, or no context in it");
		return NULL;
	}
	if (result != Py_None) {
		uint64_t v = PyLong_AsUnsignedLongLongMask(result);

		if (v == (uint64_t)-1 && PyErr_Occurred())
			return NULL;
		c->x[10] = v;
		c->pc += 4;
	}
	if (s->end > c->cycle && s->end - c->cycle > LONG_SLICE) {
		Py_BEGIN_ALLOW_THREADS
		trap = hw_go(s);
		Py_END_ALLOW_THREADS
	} else {
		trap = hw_go(s);
	}
	if (trap == HW_TRAP_ECALL)
		return PyLong_FromUnsignedLongLong(c->x[17]);
	if (trap < 0)
		return PyErr_Format(PyExc_SystemError, "go: hw_go() says %d", trap);
	return PyLong_FromLong(-1 - trap);
}

static PyObject *as_clone(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
	uint64_t a[2];

	if (names(args, nargs, a, 2) < 0)
		return NULL;
	return PyLong_FromUnsignedLong(hw_as_clone(M(self), (uint32_t)a[0], (uint32_t)a[1]));
}

static PyObject *as_destroy(PyObject *self, PyObject *as)
{
	uint64_t a;

	if (names(&as, 1, &a, 1) < 0)
		return NULL;
	hw_as_destroy(M(self), (uint32_t)a);
	Py_RETURN_NONE;
}

static PyObject *ctx_alloc(PyObject *self, PyObject *unused)
{
	(void)unused;
	return PyLong_FromUnsignedLong(hw_ctx_alloc(M(self)));
}

static PyObject *ctx_free(PyObject *self, PyObject *ctx)
{
	uint64_t a;

	if (names(&ctx, 1, &a, 1) < 0)
		return NULL;
	hw_ctx_free(M(self), (uint32_t)a);
	Py_RETURN_NONE;
}

static PyObject *ctx_live(PyObject *self, PyObject *ctx)
{
	uint64_t a;

	if (names(&ctx, 1, &a, 1) < 0)
		return NULL;
	return PyBool_FromLong(hw_ctx_at(M(self), (uint32_t)a) != NULL);
}

static PyObject *copyin(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
	uint64_t a[3];
	PyObject *got, *part;
	int64_t n;

	if (numbers(args, nargs, a, 3) < 0)
		return NULL;
	if (a[0] > UINT32_MAX || a[2] > PY_SSIZE_T_MAX / 2) {
		PyErr_SetString(PyExc_OverflowError, "copyin: too large");
		return NULL;
	}
	got = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)a[2]);
	if (got == NULL)
		return NULL;
	n = hw_copyin(M(self), (uint32_t)a[0], a[1], PyBytes_AsString(got), a[2]);
	if (n == (int64_t)a[2])
		return got;
	part = PyBytes_FromStringAndSize(PyBytes_AsString(got), n > 0 ? (Py_ssize_t)n : 0);
	Py_DECREF(got);
	return part;
}

static PyObject *copyout(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
	uint64_t a[2];
	PyObject *data;
	int64_t n;

	if (nargs != 3) {
		PyErr_SetString(PyExc_TypeError, "copyout: (as_, va, data)");
		return NULL;
	}
	if (numbers(args, 2, a, 2) < 0)
		return NULL;
	if (a[0] > UINT32_MAX) {
		PyErr_SetString(PyExc_OverflowError, "copyout: more than 32 bits");
		return NULL;
	}
	data = PyBytes_FromObject(args[2]);   /* bytes themselves, or a copy of a buffer */
	if (data == NULL)
		return NULL;
	n = hw_copyout(M(self), (uint32_t)a[0], a[1], PyBytes_AsString(data),
	               (uint64_t)PyBytes_Size(data));
	Py_DECREF(data);
	return PyLong_FromLongLong(n);
}

static PyMethodDef methods[] = {
	{ "go", go, METH_O, go_doc },
	{ "as_clone", (PyCFunction)(void (*)(void))as_clone, METH_FASTCALL, NULL },
	{ "as_destroy", as_destroy, METH_O, NULL },
	{ "ctx_alloc", ctx_alloc, METH_NOARGS, NULL },
	{ "ctx_free", ctx_free, METH_O, NULL },
	{ "ctx_live", ctx_live, METH_O, NULL },
	{ "copyin", (PyCFunction)(void (*)(void))copyin, METH_FASTCALL, NULL },
	{ "copyout", (PyCFunction)(void (*)(void))copyout, METH_FASTCALL, NULL },
	{ NULL, NULL, 0, NULL },
};

PyDoc_STRVAR(entry_doc,
"Entry(machine: int, part: int, owner: object)\n\n"
"Calls of hw.h on a machine; the addresses are the machine's and that of a\n"
"struct hw_slice, or 0.  The owner is held as long as the entry lives.");

static PyObject *entry_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
	unsigned long long m, s;
	PyObject *owner, *self;

	(void)kwds;
	if (!PyArg_ParseTuple(args, "KKO:Entry", &m, &s, &owner))
		return NULL;
	if (m == 0) {
		PyErr_SetString(PyExc_ValueError, "Entry: no machine");
		return NULL;
	}
	self = ((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
	if (self == NULL)
		return NULL;
	((struct entry *)self)->m = (hw_machine *)(uintptr_t)m;
	((struct entry *)self)->s = (struct hw_slice *)(uintptr_t)s;
	Py_INCREF(owner);
	((struct entry *)self)->owner = owner;
	return self;
}

static void entry_dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);

	Py_XDECREF(((struct entry *)self)->owner);
	((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
	Py_DECREF((PyObject *)type);
}

static PyType_Slot entry_slots[] = {
	{ Py_tp_new, entry_new },
	{ Py_tp_dealloc, entry_dealloc },
	{ Py_tp_methods, methods },
	{ Py_tp_doc, (void *)entry_doc },
	{ 0, NULL },
};

static PyType_Spec entry_spec = {
	.name = "personae.hw._entry.Entry",
	.basicsize = sizeof (struct entry),
	.flags = Py_TPFLAGS_DEFAULT,
	.slots = entry_slots,
};

static int entry_exec(PyObject *module)
{
	PyObject *type = PyType_FromSpec(&entry_spec);
	int rc;

	if (type == NULL)
		return -1;
	rc = PyModule_AddObjectRef(module, "Entry", type);
	Py_DECREF(type);
	return rc;
}

static PyModuleDef_Slot module_slots[] = {
	{ Py_mod_exec, (void *)entry_exec },
	{ 0, NULL },
};

static struct PyModuleDef module_def = {
	PyModuleDef_HEAD_INIT,
	.m_name = "personae.hw._entry",
	.m_doc = "The hot calls of hw.h without cffi.",
	.m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__entry(void)
{
	return PyModuleDef_Init(&module_def);
}
